//! The scenarios that come with Prilavok.

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// The scenarios that come with Prilavok: names and texts.
        pub const SHIPPED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../../scenarios/", $name, ".yaml")))),+
        ];
    };
}

shipped! {
    "happy-path",
    "angry-buyer",
    "dispute-won",
    "dispute-lost",
    "direct-question",
    "return-with-pictures",
    "flood",
    "duplicate-notifications",
    "out-of-hours",
    "support-joins",
    "slow-seller",
    "partner-starts",
}
