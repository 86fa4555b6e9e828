-- One city, by its id.
--
-- @param id integer min 1  The city's id
-- @result one
-- @cache 300
-- @tags geography
-- @example {"id": 1}
SELECT
  cities.id,
  cities.name,
  cities.population,
  cities.latitude,
  cities.longitude,
  countries.name AS country
FROM cities
JOIN countries ON countries.code = cities.country_code
WHERE cities.id = :id
