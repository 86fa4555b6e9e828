USE bookshop;
SELECT id, title, price FROM books WHERE id = ${id};
