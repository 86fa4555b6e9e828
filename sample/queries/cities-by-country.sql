-- Cities of a country, most populous first.
--
-- @param country string pattern "[A-Z]{2}"  Two-letter code of the country (ISO 3166-1), such as NZ
-- @param limit integer default 10 min 1 max 1000  How many cities at most
-- @tags geography
-- @example {"country": "NZ", "limit": 3} The largest cities of New Zealand
SELECT
  cities.id,
  cities.name,
  cities.population,
  cities.latitude,
  cities.longitude,
  countries.name AS country
FROM cities
JOIN countries ON countries.code = cities.country_code
WHERE cities.country_code = :country
ORDER BY cities.population DESC, cities.id
LIMIT :limit
