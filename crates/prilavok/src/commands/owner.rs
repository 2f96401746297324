//! The business that a command is about.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use prilavok_domain::BusinessId;
use prilavok_server::settings::Settings;
use prilavok_store::Store;

use super::Place;
use crate::data;

/// The business, and where its store is.
#[derive(Args)]
pub(crate) struct Owner {
    #[command(flatten)]
    place: Place,
    /// The business that it is about
    #[arg(long, value_name = "N", value_parser = business_id)]
    pub(crate) business: BusinessId,
}

/// Reads the id of a business.
pub(super) fn business_id(text: &str) -> Result<BusinessId, String> {
    let number = text.parse().map_err(|_| "it is no whole number".to_owned())?;
    BusinessId::new(number).map_err(|error| error.to_string())
}

impl Owner {
    /// The settings that the command was given.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        self.place.settings()
    }

    /// Opens the store that the business is in.
    pub(crate) async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let settings = self.settings()?;
        let store = data::open(&settings).await?;
        if store.business(self.business).await?.is_none() {
            store.close().await;
            bail!(
                "there is no business {0} in {1}: register it first, with PUT /operator/v1/businesses/{0}",
                self.business,
                data::place(&settings)
            );
        }
        Ok(store)
    }
}
