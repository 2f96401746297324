//! Where the marketplace's people arrive.

use prilavok_pages::operator::OperatorHome;

use super::page::Page;
use super::reader::Operator;

pub(super) async fn home(operator: Operator) -> Page<OperatorHome> {
    Page(OperatorHome {
        frame: operator.frame(),
    })
}
