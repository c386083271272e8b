//! The command line: serve, migrate, seed, import, user. Wires and nothing else.

fn main() -> anyhow::Result<()> {
    Ok(())
}
