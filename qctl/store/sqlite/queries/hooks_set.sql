-- Primary key.
SELECT name, value FROM qctl_settings WHERE name >= 'hook.' AND name < 'hook/'
