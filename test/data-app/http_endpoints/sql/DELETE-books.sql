USE bookshop;
DELETE FROM `books` WHERE `id` = ${id};
