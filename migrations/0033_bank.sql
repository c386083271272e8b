-- Money that leaves Stripe for the platform's own bank, or comes from there, is neither a cost nor a difference: it has an account.
alter table ledger_accounts drop constraint ledger_accounts_kind_check;
alter table ledger_accounts add constraint ledger_accounts_kind_check check (kind in (
    'cash', 'refunds_due', 'commission', 'commission_vat', 'stripe_fees', 'discounts', 'losses', 'suspense',
    'vendor_pending', 'vendor_payable', 'disputes_held', 'connected', 'payouts_in_transit',
    -- what Stripe has paid out to the platform's own bank
    'bank'));
