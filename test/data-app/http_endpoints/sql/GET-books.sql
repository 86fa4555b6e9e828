/* Getting Started:
Enter "USE {database};" before entering your SQL statements.
Declare a parameter like "Where id = ${arg}".
*/
USE bookshop;
-- An empty word finds every title.
SELECT id, title, price
FROM books
WHERE title LIKE '%${q}%' AND genre = ${genre}
ORDER BY title, id;
