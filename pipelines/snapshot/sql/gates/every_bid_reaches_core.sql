-- No bid is lost on the way: the lances behind core.bids are all bids of the stage.
-- zh: 投标记录在加工中无遗漏
SELECT abs((SELECT count(*) FROM stage.bids) - (SELECT coalesce(sum(lances), 0) FROM core.bids)) AS violations;
