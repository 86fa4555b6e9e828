-- One country with all that is known about it.
--
-- @param code string pattern "[A-Z]{2}"  Two-letter code of the country (ISO 3166-1), such as NZ
-- @tags geography
-- @example {"code": "NZ"}
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
