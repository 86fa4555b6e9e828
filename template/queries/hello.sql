-- Says hello. It needs no table: write your own queries beside it.
--
-- @param name string length 1..40  Whom to greet
-- @result one
-- @example {"name": "Ada"}
SELECT CONCAT('Hello, ', :name, '!') AS greeting
