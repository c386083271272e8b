//! Pictures of products.

use crate::{ids::PictureId, server::state::App};

/// Removes every width of a deleted picture from the store.
pub async fn delete_objects(app: &App, picture: PictureId) -> anyhow::Result<()> {
    for width in crate::ui::PICTURE_WIDTHS {
        app.storage.delete(&format!("pictures/{picture}/{width}.webp")).await?;
    }
    Ok(())
}
