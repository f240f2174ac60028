-- Primary key of qctl_needs: what waits or waited for one of several jobs.
SELECT job FROM qctl_needs WHERE needs IN (SELECT value FROM json_each(?))
