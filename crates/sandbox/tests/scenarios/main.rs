//! Scenarios played against a real server: its clock is moved by hand, its partner talks to it over HTTP.

mod bad_files;
mod documents;
mod expectations;
mod flood;
mod partner;
mod rules;
mod shipped;
mod shop;
mod steps;
