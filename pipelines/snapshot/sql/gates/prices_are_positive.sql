-- Every price is above zero.
-- zh: 报价均大于零
SELECT count(*) AS violations FROM core.bids WHERE price <= 0;
