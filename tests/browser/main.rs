//! The pages, in a real browser from the real binary: Chromium, driven through chromedriver. Beside them, what only
//! shows over plain HTTP: what forged requests get, what headers say.

mod accessibility;
mod attachments;
#[path = "../chromium.rs"]
mod browser;
mod counter;
mod desk;
mod keyboard;
mod languages;
mod live;
mod market;
mod operator_pages;
mod personal_data;
#[path = "../receiver.rs"]
#[allow(dead_code, reason = "other tests ask more of it")]
mod receiver;
mod requests;
mod screenshots;
mod search;
mod sending;
mod sign_in;
