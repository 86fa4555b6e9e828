USE bookshop;
SELECT id, title FROM books WHERE id IN ${ids} AND sold >= ${total}
