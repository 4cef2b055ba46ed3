//! Whether who may send documents of Systems Manager to an instance can make it run commands.
//!
//! Not for the instance, which a precondition is about. Invariant: a document whose text nobody but AWS
//! or the account writes wins nothing.

use crate::Access;
use overgrant_ir::IdentityId;
use overgrant_value::{Answer, Src, Sym, Text};

/// The action that needs a document.
pub(super) const SEND: &str = "ssm:SendCommand";

/// Documents of AWS whose parameters are commands, by name. Source: AWS Systems Manager, "Run Command
/// document reference".
pub const COMMAND_DOCUMENTS: [&str; 8] = [
    "AWS-RunShellScript",
    "AWS-RunPowerShellScript",
    "AWS-RunRemoteScript",
    "AWS-RunDocument",
    "AWS-ApplyAnsiblePlaybooks",
    "AWS-ApplyChefRecipes",
    "AWS-RunSaltState",
    "AWS-InstallPowerShellModule",
];

/// Whether the caller may send a document that takes commands.
pub(super) fn sends(access: &Access<'_>, caller: IdentityId) -> Answer {
    let may = |name: &&str| {
        let arn = Text::known("arn:")
            .concat(&Text::hole(Sym::Partition, Src::none()))
            .concat(&Text::known(":ssm:"))
            .concat(&Text::hole(Sym::Region, Src::none()))
            .concat(&Text::known(&format!("::document/{name}")));
        access.allows(caller, SEND, Some(&arn)).answer
    };
    COMMAND_DOCUMENTS
        .iter()
        .map(may)
        .fold(Answer::No, Answer::or)
}
