//! Amounts as Stripe writes them in its messages, and the smallest and largest it takes.

/// Currencies without a smaller unit.
const WHOLE: &[&str] =
    &["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Eight digits is Stripe's limit.
pub const LARGEST: i64 = 99_999_999;

/// `£12.50`, `12.50 SEK`, `¥1,250`.
pub fn display(amount: i64, currency: &str) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    let (whole, part) =
        if WHOLE.contains(&currency) { (amount, String::new()) } else { (amount / 100, format!(".{:02}", amount % 100)) };
    let digits = whole.to_string();
    let grouped =
        digits.as_bytes().rchunks(3).rev().map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect::<Vec<_>>().join(",");
    match currency {
        "gbp" => format!("{sign}£{grouped}{part}"),
        "eur" => format!("{sign}€{grouped}{part}"),
        "usd" => format!("{sign}${grouped}{part}"),
        "jpy" => format!("{sign}¥{grouped}{part}"),
        other => format!("{sign}{grouped}{part} {}", other.to_uppercase()),
    }
}

/// The smallest amount Stripe charges in a currency.
pub fn smallest(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "dkk" => 250,
        "nok" | "sek" => 300,
        "pln" => 200,
        "czk" => 1500,
        "huf" => 17_500,
        "ron" => 200,
        _ => 50,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_signed() {
        assert_eq!(display(123_456, "gbp"), "£1,234.56");
        assert_eq!(display(5, "eur"), "€0.05");
        assert_eq!(display(-1250, "sek"), "-12.50 SEK");
        assert_eq!(display(1_250_000, "jpy"), "¥1,250,000");
    }
}
