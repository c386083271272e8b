//! The roles of a shop's team: what each may do, in words and in order.

use crate::orders::model::text_enum;

text_enum!(
    /// Each may do what the one before it may, and more.
    TeamRole {
        /// Sees orders and products, and ships.
        Fulfiller = "fulfiller",
        /// Goods, prices, coupons, money back, returns, the shop's own page.
        Manager = "manager",
        /// Also how the shop is paid, what stands on its invoices, and the team.
        Owner = "owner",
    }
);

impl TeamRole {
    pub const ALL: [Self; 3] = [Self::Owner, Self::Manager, Self::Fulfiller];

    /// Whether this role is enough where that one is asked for.
    pub fn may(self, asked: Self) -> bool {
        self as u8 >= asked as u8
    }

    /// `Manager`
    pub fn label(self) -> &'static str {
        match self {
            Self::Fulfiller => "Fulfiller",
            Self::Manager => "Manager",
            Self::Owner => "Owner",
        }
    }

    /// After "as": `a manager`.
    pub fn article(self) -> &'static str {
        match self {
            Self::Fulfiller => "a fulfiller",
            Self::Manager => "a manager",
            Self::Owner => "an owner",
        }
    }

    /// What it is for, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Fulfiller => "Sees orders and products, ships parcels and prints what goes into them.",
            Self::Manager => "Also products, prices, coupons, money back, returns, disputes and the shop’s page.",
            Self::Owner => "Also payouts, statements, what stands on invoices, and the team.",
        }
    }
}

impl std::str::FromStr for TeamRole {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or("Please choose one of the roles")
    }
}

#[cfg(test)]
mod tests {
    use super::TeamRole::{Fulfiller, Manager, Owner};

    #[test]
    fn each_role_may_what_the_one_below_it_may() {
        for (role, may) in [(Fulfiller, [true, false, false]), (Manager, [true, true, false]), (Owner, [true; 3])] {
            assert_eq!([Fulfiller, Manager, Owner].map(|asked| role.may(asked)), may, "{role:?}");
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }
}
