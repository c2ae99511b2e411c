-- Persons, phones and accounts are tokens, never clear text.
-- zh: 人员、电话、账号均为令牌，不含明文
SELECT (SELECT count(*) FROM core.people
        WHERE person NOT LIKE 'h1:%' OR person_id NOT LIKE 'h1:%' OR phone NOT LIKE 'h1:%' OR email NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.parties
        WHERE legal_representative NOT LIKE 'h1:%' OR legal_representative_id NOT LIKE 'h1:%'
           OR phone NOT LIKE 'h1:%' OR email NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.awards WHERE project_lead NOT LIKE 'h1:%' OR project_lead_id NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.contract_members WHERE person NOT LIKE 'h1:%' OR person_id NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.insured_people WHERE person_id NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.deposits WHERE account NOT LIKE 'h1:%' OR premium_account NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.document_purchases WHERE account NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.file_properties
        WHERE property IN ('author', 'last_modified_by') AND value NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.expert_scores WHERE expert NOT LIKE 'h1:%' OR expert_id NOT LIKE 'h1:%')
     + (SELECT count(*) FROM core.experts WHERE expert NOT LIKE 'h1:%' OR expert_id NOT LIKE 'h1:%') AS violations;
