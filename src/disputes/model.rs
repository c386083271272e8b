//! How a dispute stands and what may be done about it; the read models of its pages. Pure.

use crate::{
    ids::{DisputeFileId, DisputeId, OrderId, VendorId, VendorOrderId},
    money::{Currency, Money},
    orders::model::text_enum,
    texts,
};
use time::OffsetDateTime;

/// All files of a dispute together, in bytes: Stripe takes no more.
pub const MAX_BYTES: i64 = 4_500_000;

text_enum!(
    /// How a dispute stands, in Stripe's words.
    DisputeStatus {
        /// The bank only asks; no money has moved.
        WarningNeedsResponse = "warning_needs_response",
        WarningUnderReview = "warning_under_review",
        WarningClosed = "warning_closed",
        /// The bank has the money and wants evidence.
        NeedsResponse = "needs_response",
        UnderReview = "under_review",
        /// Settled before it began.
        Prevented = "prevented",
        Won = "won",
        Lost = "lost",
    }
);

impl std::str::FromStr for DisputeStatus {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        use DisputeStatus::*;
        [WarningNeedsResponse, WarningUnderReview, WarningClosed, NeedsResponse, UnderReview, Prevented, Won, Lost]
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or(())
    }
}

impl DisputeStatus {
    /// The bank has not decided.
    pub fn is_open(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::NeedsResponse | Self::UnderReview)
    }

    /// The bank waits for evidence.
    pub fn wants_evidence(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::NeedsResponse)
    }

    /// How far it has come. A question may become a dispute; nothing else goes back.
    fn stage(self) -> u8 {
        match self {
            Self::WarningNeedsResponse => 0,
            Self::WarningUnderReview => 1,
            Self::WarningClosed => 2,
            Self::NeedsResponse => 3,
            Self::UnderReview => 4,
            Self::Prevented | Self::Won | Self::Lost => 5,
        }
    }

    /// Where it stands after Stripe said `now`: answers may overtake each other, so an older one changes nothing.
    pub fn then(self, now: Self) -> Self {
        if now.stage() > self.stage() { now } else { self }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "the bank asks",
            Self::WarningUnderReview => "the bank reads our answer",
            Self::WarningClosed => "the bank's question is closed",
            Self::NeedsResponse => "needs evidence",
            Self::UnderReview => "the bank decides",
            Self::Prevented => "prevented",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// The bank's reason in words.
pub fn reason_words(reason: &str) -> String {
    match reason {
        "credit_not_processed" => "A refund that was promised did not come".into(),
        "duplicate" => "Paid twice for the same".into(),
        "fraudulent" => "The cardholder says that somebody else paid".into(),
        "product_not_received" => "The goods did not arrive".into(),
        "product_unacceptable" => "The goods are not as described, or broken".into(),
        "subscription_canceled" => "A subscription was cancelled".into(),
        "unrecognized" => "The cardholder does not recognise the payment".into(),
        "general" => "No reason in particular".into(),
        other => other.replace('_', " "),
    }
}

text_enum!(
    /// What a file is evidence of; Stripe takes one of each.
    Place {
        Receipt = "receipt",
        ShippingDocumentation = "shipping_documentation",
        CustomerCommunication = "customer_communication",
        CustomerSignature = "customer_signature",
        RefundPolicy = "refund_policy",
        UncategorizedFile = "uncategorized_file",
    }
);

impl Place {
    pub const ALL: [Self; 6] = [
        Self::ShippingDocumentation,
        Self::CustomerCommunication,
        Self::Receipt,
        Self::CustomerSignature,
        Self::RefundPolicy,
        Self::UncategorizedFile,
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }

    /// As people choose and read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Receipt => "Receipt or invoice",
            Self::ShippingDocumentation => "Proof that it was sent or arrived",
            Self::CustomerCommunication => "What was written with the shopper",
            Self::CustomerSignature => "The shopper's signature",
            Self::RefundPolicy => "Our terms for returns",
            Self::UncategorizedFile => "Something else",
        }
    }
}

/// What may be a file, by its first bytes: `application/pdf`, `image/png` or `image/jpeg`.
pub fn media_type(content: &[u8]) -> Option<&'static str> {
    match content {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ => None,
    }
}

texts!(
    /// The operator's words to the bank.
    BankWords: paragraphs, 0, 10000;
    /// What a vendor has to say to it.
    VendorWords: paragraphs, 1, 5000;
    /// What a file is called.
    FileName: line, 1, 100;
);

/// A dispute as a list shows it. For a vendor the amount is its own part.
#[derive(Debug, Clone)]
pub struct DisputeRow {
    pub id: DisputeId,
    pub order: OrderId,
    pub number: i64,
    pub amount_minor: i64,
    pub currency: Currency,
    pub reason: String,
    pub status: DisputeStatus,
    pub evidence_due_at: Option<OffsetDateTime>,
    pub submitted_at: Option<OffsetDateTime>,
    pub opened_at: OffsetDateTime,
}

impl DisputeRow {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }

    /// Evidence may still be written and sent.
    pub fn takes_evidence(&self) -> bool {
        self.status.wants_evidence() && self.submitted_at.is_none()
    }
}

/// What of a dispute falls to a vendor.
#[derive(Debug, Clone)]
pub struct DisputePart {
    /// `None`: the platform's own.
    pub parcel: Option<VendorOrderId>,
    pub vendor: Option<VendorId>,
    pub vendor_name: Option<String>,
    pub amount_minor: i64,
    /// What the vendor has to say to it; empty: nothing yet.
    pub words: String,
}

/// A file that is evidence.
#[derive(Debug, Clone)]
pub struct DisputeFile {
    pub id: DisputeFileId,
    pub vendor: Option<VendorId>,
    pub vendor_name: Option<String>,
    pub place: Place,
    pub name: String,
    pub media_type: String,
    pub bytes: i32,
}

impl DisputeFile {
    /// `1.2 MB`, `340 kB`
    pub fn size(&self) -> String {
        match self.bytes {
            ..1000 => format!("{} bytes", self.bytes),
            1000..1_000_000 => format!("{} kB", self.bytes / 1000),
            _ => format!("{}.{} MB", self.bytes / 1_000_000, self.bytes % 1_000_000 / 100_000),
        }
    }
}

/// A dispute in another currency than the payment: the books cannot hold it, and it is answered in Stripe's dashboard.
#[derive(Debug, Clone)]
pub struct ForeignDispute {
    pub stripe_dispute_id: String,
    pub order: OrderId,
    pub number: i64,
    pub amount_minor: i64,
    pub currency: Currency,
    pub reason: String,
    pub evidence_due_at: Option<OffsetDateTime>,
}

impl ForeignDispute {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

/// A dispute with all that its page shows.
#[derive(Debug, Clone)]
pub struct DisputeDetail {
    pub row: DisputeRow,
    pub stripe_dispute_id: String,
    pub fee_minor: i64,
    pub withdrawn_at: Option<OffsetDateTime>,
    pub reinstated_at: Option<OffsetDateTime>,
    pub sent_at: Option<OffsetDateTime>,
    pub refused: Option<String>,
    pub closed_at: Option<OffsetDateTime>,
    /// The operator's words.
    pub words: String,
    pub parts: Vec<DisputePart>,
    pub files: Vec<DisputeFile>,
    /// What the order itself says for us, and goes along: label and text.
    pub facts: Vec<(&'static str, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use DisputeStatus::*;

    #[test]
    fn an_older_answer_changes_nothing() {
        let all = [WarningNeedsResponse, WarningUnderReview, WarningClosed, NeedsResponse, UnderReview, Prevented, Won, Lost];
        for a in all {
            assert_eq!(a.as_str().parse(), Ok(a));
            for b in all {
                assert_eq!(a.then(b).then(b), a.then(b), "{a:?} {b:?}");
                assert_eq!(a.then(b).stage(), a.stage().max(b.stage()), "{a:?} {b:?}");
            }
        }
        for end in [Won, Lost, Prevented] {
            assert!(all.iter().all(|later| end.then(*later) == end), "{end:?} is the end");
        }
        assert_eq!(WarningClosed.then(NeedsResponse), NeedsResponse, "a question becomes a dispute");
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(media_type(b"%PDF-1.7\n"), Some("application/pdf"));
        assert_eq!(media_type(&[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0]), Some("image/png"));
        assert_eq!(media_type(&[0xff, 0xd8, 0xff, 0xe0]), Some("image/jpeg"));
        for other in [b"<html>".as_slice(), b"MZ", b"", b"%PD", b"\x89PNG"] {
            assert_eq!(media_type(other), None);
        }
    }
}
