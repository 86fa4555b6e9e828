USE bookshop;
SELECT COUNT(*) FROM `${table}`;
