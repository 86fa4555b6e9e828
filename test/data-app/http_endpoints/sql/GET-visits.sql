USE other_shop;
UPDATE books SET visits = visits + 1 WHERE id = ${id};
