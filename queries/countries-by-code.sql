-- Countries of some codes, by name.
--
-- @param codes string[]  Two-letter codes
SELECT code, name FROM countries WHERE code IN (:codes) ORDER BY name
