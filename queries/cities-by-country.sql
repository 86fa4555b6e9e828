-- Cities of a country, most populous first.
--
-- @param country string required  Two-letter code of the country (ISO 3166-1), such as NZ
-- @param limit integer default 10  How many cities at most
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
