USE bookshop;
SELECT id, title FROM books ORDER BY sold DESC LIMIT ${n};
