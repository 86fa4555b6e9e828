-- Says hello. It needs no table: write your own queries beside it.
--
-- @param name string length 1..40  Whom to greet
-- @result one
-- @example {"name": "Ada"}
-- CAST gives the column one type on every database: CONCAT alone is VARCHAR here and TEXT there.
SELECT CAST(CONCAT('Hello, ', :name, '!') AS CHAR(60)) AS greeting
