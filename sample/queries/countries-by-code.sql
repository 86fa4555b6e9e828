-- Countries of some codes, by name.
--
-- @param codes string[] pattern "[A-Z]{2}" items ..50  Two-letter codes
-- @tags geography
-- @example {"codes": ["NZ", "JP"]}
SELECT code, name FROM countries WHERE code IN (:codes) ORDER BY name
