//! The states of a return and who moves it where; the texts that are said about one; the read models of its pages.

use crate::{
    ids::{OrderId, OrderLineId, PictureId, ReturnId, ReturnPictureId, VendorOrderId},
    money::{Currency, Money},
    orders::model::{Event, text_enum},
    texts,
};
use time::OffsetDateTime;

/// The most pictures that one return shows.
pub const MAX_PICTURES: usize = 5;

text_enum!(
    /// How a return stands.
    ReturnState {
        /// The vendor decides.
        Asked = "asked",
        /// The vendor asked something; the shopper answers.
        Question = "question",
        /// The shopper may send it back.
        Accepted = "accepted",
        /// On its way back.
        Sent = "sent",
        /// It came, and the money went back.
        Received = "received",
        Refused = "refused",
        /// Refused, and the shopper asked the operator, who decides.
        Appealed = "appealed",
        /// The shopper keeps the goods.
        Withdrawn = "withdrawn",
    }
);

impl ReturnState {
    /// Somebody still has to do something.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Received | Self::Refused | Self::Withdrawn)
    }
}

text_enum!(
    /// Why something goes back.
    ReturnReason {
        Damaged = "damaged",
        Wrong = "wrong",
        NotAsDescribed = "not_as_described",
        Unwanted = "unwanted",
        Other = "other",
    }
);

impl ReturnReason {
    pub const ALL: [Self; 5] = [Self::Damaged, Self::Wrong, Self::NotAsDescribed, Self::Unwanted, Self::Other];

    /// As people choose and read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Damaged => "It came damaged",
            Self::Wrong => "It is not what I ordered",
            Self::NotAsDescribed => "It is not as described",
            Self::Unwanted => "I do not want it any more",
            Self::Other => "Something else",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

texts!(
    /// What the shopper tells beside the reason.
    ReturnWords: paragraphs, 0, 1000;
    /// What somebody has to say to go on: a question, an answer, why not, or where to send it.
    Said: paragraphs, 1, 1000;
    /// Who carries it back; the shopper need not say.
    BackCarrier: line, 0, 60;
    /// What the carrier calls it.
    BackTracking: line, 0, 80;
);

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Shopper,
    Vendor,
    Operator,
}

impl Party {
    /// As the audit log calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopper => "shopper",
            Self::Vendor => "vendor",
            Self::Operator => "operator",
        }
    }
}

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Accept,
    Refuse,
    Ask,
    Answer,
    Send,
    Withdraw,
    Appeal,
    Receive,
}

/// Where that leads; `None` where it is not theirs to do now. The operator may do what the vendor may, and overrule it; an
/// `appealed` return was put before the operator before.
pub fn next(state: ReturnState, by: Party, act: Act, appealed: bool) -> Option<ReturnState> {
    use {Act::*, Party::*, ReturnState as S};
    Some(match (by, act, state) {
        (Vendor | Operator, Accept, S::Asked | S::Question) => S::Accepted,
        (Operator, Accept, S::Refused | S::Appealed) => S::Accepted,
        (Vendor | Operator, Refuse, S::Asked | S::Question) => S::Refused,
        (Operator, Refuse, S::Appealed | S::Accepted) => S::Refused,
        (Vendor | Operator, Ask, S::Asked) => S::Question,
        (Vendor | Operator, Receive, S::Accepted | S::Sent) => S::Received,
        (Shopper, Answer, S::Question) => S::Asked,
        (Shopper, Send, S::Accepted) => S::Sent,
        (Shopper, Withdraw, S::Asked | S::Question | S::Accepted | S::Appealed) => S::Withdrawn,
        (Shopper, Appeal, S::Refused) if !appealed => S::Appealed,
        _ => return None,
    })
}

/// How many pieces of a line may be asked back: those that were sent within the days, neither asked for nor paid back before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returnable {
    pub line: OrderLineId,
    pub parcel: VendorOrderId,
    pub vendor_name: String,
    pub title: String,
    pub options: String,
    pub picture_id: Option<PictureId>,
    pub left: i32,
}

/// A line of a list of returns.
#[derive(Debug, Clone)]
pub struct ReturnRow {
    pub id: ReturnId,
    pub order: OrderId,
    pub number: i64,
    pub parcel: VendorOrderId,
    pub vendor_name: String,
    pub ship_name: String,
    pub state: ReturnState,
    pub reason: ReturnReason,
    pub appealed: bool,
    pub pieces: i64,
    /// Of the first line, to recognise it by.
    pub title: String,
    pub asked_at: OffsetDateTime,
    pub changed_at: OffsetDateTime,
}

/// A return with everything its page shows.
#[derive(Debug, Clone)]
pub struct ReturnDetail {
    pub row: ReturnRow,
    pub words: String,
    pub send_to: String,
    pub carrier: String,
    pub tracking: String,
    pub currency: Currency,
    pub lines: Vec<ReturnLine>,
    pub pictures: Vec<ReturnPicture>,
    /// What was said and done, in order of time.
    pub talk: Vec<Event>,
    /// What went back for it: the amount and `pending`, `succeeded` or `failed`.
    pub refund: Option<(i64, String)>,
}

impl ReturnDetail {
    pub fn refunded(&self) -> Option<Money> {
        self.refund.as_ref().map(|(minor, _)| Money::new(*minor, self.currency))
    }

    /// Whether this party may do this now.
    pub fn may(&self, by: Party, act: Act) -> bool {
        next(self.row.state, by, act, self.row.appealed).is_some()
    }
}

/// A line of the order, and how many pieces of it come back.
#[derive(Debug, Clone)]
pub struct ReturnLine {
    pub line: OrderLineId,
    pub title: String,
    pub sku: String,
    pub options: String,
    pub picture_id: Option<PictureId>,
    pub quantity: i32,
    pub received: i32,
    pub restocked: i32,
}

/// A picture that the shopper took. Pixels of the largest file.
#[derive(Debug, Clone, Copy)]
pub struct ReturnPicture {
    pub id: ReturnPictureId,
    pub width: i32,
    pub height: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [ReturnState; 8] = [
        ReturnState::Asked,
        ReturnState::Question,
        ReturnState::Accepted,
        ReturnState::Sent,
        ReturnState::Received,
        ReturnState::Refused,
        ReturnState::Appealed,
        ReturnState::Withdrawn,
    ];
    const PARTIES: [Party; 3] = [Party::Shopper, Party::Vendor, Party::Operator];
    const ACTS: [Act; 8] = [Act::Accept, Act::Refuse, Act::Ask, Act::Answer, Act::Send, Act::Withdraw, Act::Appeal, Act::Receive];

    #[test]
    fn the_operator_may_what_the_vendor_may() {
        for state in STATES {
            for act in ACTS {
                if let Some(to) = next(state, Party::Vendor, act, false) {
                    assert_eq!(next(state, Party::Operator, act, false), Some(to));
                }
            }
        }
        assert_eq!(next(ReturnState::Refused, Party::Vendor, Act::Accept, false), None, "only the operator overrules");
        assert_eq!(next(ReturnState::Refused, Party::Operator, Act::Accept, false), Some(ReturnState::Accepted));
    }

    #[test]
    fn what_is_over_stays_over() {
        for act in ACTS {
            for by in PARTIES {
                assert_eq!(next(ReturnState::Received, by, act, false), None);
                assert_eq!(next(ReturnState::Withdrawn, by, act, false), None);
            }
        }
    }

    proptest! {
        /// Whatever people do in whatever order, goods are received only after somebody accepted them, and the operator is asked once.
        #[test]
        fn nothing_is_received_that_was_not_accepted(steps in prop::collection::vec((0usize..3, 0usize..8), 0..40)) {
            let (mut state, mut accepted, mut appeals) = (ReturnState::Asked, false, 0);
            for (by, act) in steps {
                if let Some(to) = next(state, PARTIES[by], ACTS[act], appeals > 0) {
                    appeals += i32::from(to == ReturnState::Appealed);
                    accepted = (accepted || to == ReturnState::Accepted) && to != ReturnState::Refused;
                    state = to;
                }
                prop_assert!(state != ReturnState::Received || accepted);
                prop_assert!(appeals <= 1);
            }
        }
    }
}
