//! The OpenAPI document is a file of the project, so that a change of the contract is seen in review.

#[test]
fn the_document_in_the_project_is_the_one_that_the_code_yields() {
    let kept = include_str!("../../../openapi/partner.json");
    let kept: serde_json::Value = serde_json::from_str(kept).expect("JSON");
    let yielded = serde_json::to_value(prilavok_wire::openapi::partner_openapi()).expect("JSON");
    assert!(
        kept == yielded,
        "openapi/partner.json is out of date: run `just openapi` and review the change"
    );
}
