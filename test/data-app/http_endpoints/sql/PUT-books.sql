USE bookshop;
UPDATE `books` SET `title` = ${title} WHERE `id` = ${id};
