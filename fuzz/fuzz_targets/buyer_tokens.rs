#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prilavok_fuzz::buyer_tokens::check(data));
