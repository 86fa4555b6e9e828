USE bookshop;
SELECT COUNT(*) FROM books;
SELECT COUNT(*) FROM orders;
