//! Stripe's codes in words that say what to do.

/// Why a bank did not take a payout, in words that say what to do; Stripe's own where we have none.
pub fn failure_words(code: &str, message: &str) -> String {
    match code {
        "account_closed" => "The bank account has been closed. Give another one.".into(),
        "account_frozen" => "The bank account is frozen. Ask your bank, or give another one.".into(),
        "bank_account_restricted" => {
            "The bank account does not take this kind of payment. Ask your bank, or give another one.".into()
        }
        "bank_ownership_changed" => "The bank account now belongs to somebody else. Give another one.".into(),
        "could_not_process" => "The bank could not process it. Try again, or give another account.".into(),
        "debit_not_authorized" => "The bank does not allow debits from the account. Ask your bank.".into(),
        "declined" => "The bank declined it. Ask your bank why, then try again.".into(),
        "incorrect_account_holder_name" => "The name of the account's holder is not right. Correct it.".into(),
        "incorrect_account_holder_tax_id" => "The tax number of the account's holder is not right. Correct it.".into(),
        "invalid_account_number" | "invalid_account_number_length" => "The account number is not right. Correct it.".into(),
        "invalid_currency" => "The bank account does not take this currency. Give another one.".into(),
        "no_account" => "The bank does not know the account. Check its number and the holder's name.".into(),
        "unsupported_card" => "The card does not take payouts. Give a bank account.".into(),
        _ if message.trim().is_empty() => "The bank gave no reason. Try again, or give another account.".into(),
        _ => message.trim().to_owned(),
    }
}

/// What Stripe wants to know, in words, each once: `individual.dob.day` is the date of birth.
pub fn requirement_words(due: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for code in due {
        let (who, what) = match code.split_once('.') {
            Some(("individual" | "representative" | "relationship", rest)) => ("", rest),
            Some(("company", rest)) => ("company", rest),
            Some((person, rest)) if person.starts_with("person_") => ("", rest),
            _ => ("", code.as_str()),
        };
        let text = match (who, what) {
            (_, what) if what.starts_with("external_account") => "The bank account that you want to be paid to",
            (_, what) if what.starts_with("tos_acceptance") => "That you agree to Stripe's terms",
            (_, what) if what.starts_with("business_profile.url") || what.starts_with("business_profile.product_description") => {
                "Where you sell, or what"
            }
            (_, what) if what.starts_with("business_profile.mcc") => "Which trade you are in",
            (_, what) if what.starts_with("business_profile") => "About your business",
            (_, "business_type") => "Whether you trade alone or as a company",
            ("company", what) if what.starts_with("address") => "The address of the company",
            ("company", "name") => "The name of the company",
            ("company", what) if what.starts_with("tax_id") => "The company's registration or tax number",
            ("company", "phone") => "The company's telephone number",
            ("company", what) if what.starts_with("verification") => "A document that proves the company",
            (_, what) if what.starts_with("dob") => "Your date of birth",
            (_, "first_name" | "last_name") => "Your name",
            (_, what) if what.starts_with("address") => "Your address",
            (_, "email") => "Your e-mail address",
            (_, "phone") => "Your telephone number",
            (_, "id_number" | "ssn_last_4") => "Your identity or tax number",
            (_, what) if what.starts_with("verification") => "A picture of your passport or identity card",
            (_, what) if what.starts_with("owners") => "Who owns the company",
            (_, what) if what.starts_with("directors") => "Who directs the company",
            _ => "",
        };
        let text =
            if text.is_empty() { format!("Stripe calls it “{}”", code.replace(['_', '.'], " ")) } else { text.to_owned() };
        if !words.contains(&text) {
            words.push(text);
        }
    }
    words
}

/// Why Stripe has closed an account for payouts, in words.
pub fn disabled_words(reason: &str) -> &'static str {
    match reason {
        "requirements.past_due" | "action_required.requested_capabilities" => "Stripe waits for what is listed here.",
        "requirements.pending_verification" | "under_review" => "Stripe is checking what you gave. That takes a day or two.",
        "rejected.fraud"
        | "rejected.terms_of_service"
        | "rejected.listed"
        | "rejected.other"
        | "rejected.incomplete_verification" => "Stripe does not offer you an account. Please write to us.",
        "listed" => "Stripe is checking whether you may have an account.",
        "platform_paused" => "We have paused your payouts. Please write to us.",
        _ => "Stripe has not opened the account yet.",
    }
}
