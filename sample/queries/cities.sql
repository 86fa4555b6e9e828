-- Cities of a region, most populous first, in pages.
--
-- @param region string enum ["Africa", "Americas", "Antarctic", "Asia", "Europe", "Oceania"]  Where they are
-- @param prefix string default "" length ..40  The beginning of the name
-- @param min_population integer default 0 min 0 max 100000000  The fewest people
-- @page keyset population desc, id size 20 max 100
-- @deadline_ms 5000
-- @tags geography
-- @example {"region": "Oceania", "prefix": "Well"}
SELECT
  cities.id,
  cities.name,
  cities.population,
  cities.country_code
FROM countries
JOIN cities ON cities.country_code = countries.code
WHERE countries.region = :region
  AND LEFT(cities.name, CHAR_LENGTH(:prefix)) = :prefix
  AND cities.population >= :min_population
