"""Referrals (移送): from the draft to the answer, and the papers that go with them."""
