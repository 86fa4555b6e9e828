-- One country with all that is known about it.
--
-- @param code string required  Two-letter code of the country (ISO 3166-1), such as NZ
SELECT
  code,
  code3,
  name,
  official_name,
  capital,
  region,
  subregion,
  area_km2,
  independent,
  un_member,
  landlocked,
  latitude,
  longitude,
  languages,
  currencies
FROM countries
WHERE code = :code
