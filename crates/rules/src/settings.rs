//! What the user's configuration tells the rules.
//!
//! Not for reading the file: that is the engine's. Invariant: empty means "not said", never "none".

use crate::Scope;
use crate::listed::matches;

/// Settings that rules read.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Account ids of the user.
    pub own_accounts: Vec<String>,
    /// The organisation's id.
    pub org_id: Option<String>,
    /// Known foreign accounts: (id, name).
    pub vendors: Vec<(String, String)>,
    /// OIDC issuers that were reviewed.
    pub approved_issuers: Vec<String>,
    /// Addresses or ARN globs of roles that are meant to administer.
    pub deployer_roles: Vec<String>,
    /// The same for emergency roles.
    pub break_glass: Vec<String>,
    /// The same for security tooling.
    pub security_roles: Vec<String>,
    /// Address globs of resources that are meant to be public.
    pub public_ok: Vec<String>,
    /// What the code base is meant to describe.
    pub scopes: Vec<Scope>,
    /// Where a boundary is required: (address glob of the identity, ARN glob of the boundary).
    pub boundary_required: Vec<(String, String)>,
    /// Longest sessions.
    pub session_max: SessionMax,
}

/// Longest sessions in seconds; `None` where nothing was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionMax {
    /// Of roles.
    pub role: Option<u64>,
    /// Of roles that CI systems assume.
    pub ci: Option<u64>,
    /// Of permission sets.
    pub permission_set: Option<u64>,
}

impl Settings {
    /// Whether rules of this scope may speak.
    #[must_use]
    pub fn speaks(&self, scope: Scope) -> bool {
        scope == Scope::Module || self.scopes.contains(&scope)
    }

    /// Whether the account is the user's own.
    #[must_use]
    pub fn owns(&self, account: &str) -> bool {
        self.own_accounts.iter().any(|own| own == account)
    }

    /// The name of a declared vendor account.
    #[must_use]
    pub fn vendor(&self, account: &str) -> Option<&str> {
        self.vendors
            .iter()
            .find(|(id, _)| id == account)
            .map(|(_, name)| name.as_str())
    }

    /// Whether the address is on the list of what is meant to be public; `*` in the list stands for
    /// any run of characters.
    #[must_use]
    pub fn is_public_ok(&self, address: &str) -> bool {
        self.public_ok.iter().any(|glob| matches(glob, address))
    }
}
