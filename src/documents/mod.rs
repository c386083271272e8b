//! Owns the papers that money leaves behind: invoices, credit notes, commission invoices and payout statements, as PDF. Each is
//! numbered without a gap, frozen when it is issued, drawn once when it is first asked for, and never changes; what is owed or paid is decided elsewhere.

mod commission;
mod credit;
mod drawing;
mod invoice;
mod issue;
mod layout;
pub mod model;
pub mod pages;
mod party;
mod pdf;
pub mod queries;
mod sheet;
mod slip;
mod statement;
mod typeset;

pub use commission::{close_months, issue_commission_invoice};
pub use credit::issue_credit_notes;
pub use invoice::issue_invoices;
pub use model::{Heading, Kind, Movement, Paper, StatementPaper};
pub use slip::packing_slip;
pub use statement::{Statement, issue_statement};

/// Draws a paper without issuing it. The same heading and paper give the same bytes.
///
/// # Errors
/// When the fonts cannot be read or the PDF cannot be written: faults of the program, not of the texts.
pub fn render(heading: &Heading, paper: &Paper) -> anyhow::Result<Vec<u8>> {
    let type_case = typeset::TypeCase::ready()?;
    let sheet = sheet::of(heading, paper);
    pdf::write(type_case, &sheet, &layout::pages(type_case, &sheet))
}
