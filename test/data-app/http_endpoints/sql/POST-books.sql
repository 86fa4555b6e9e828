USE `bookshop`;
INSERT INTO `books` (`title`, `price`, `in_print`) VALUES (${title}, ${price}, ${in_print});
