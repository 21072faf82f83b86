use crate::{
    claims::TokenUse,
    policy::{Node, Policy},
    verifier::Verifier,
};

/// The defect of a policy that requires a permission, if no token can have one.
pub(crate) const NO_PERMISSION_SOURCE: &str = "the verifier has no source of permissions; call `VerifierBuilder::permissions_claim` or `Pool::grants`";

impl Verifier {
    /// Returns why no token that this verifier accepts can meet a part of a policy. Pools that are added later are not
    /// considered, so a verifier that has no pool yet is not compared with the policy.
    pub(crate) fn defects(&self, policy: &Policy) -> Vec<String> {
        let pools = self.0.pools.load();
        let mut defects = policy.defects();
        if pools.is_empty() {
            return defects;
        }
        let accepts = |token_use| pools.iter().any(|pool| pool.accepts_kind(token_use));
        let has_permission_source = self.0.has_permission_source(&pools);
        policy.visit(&mut |part| {
            let defect = match part.node() {
                Node::Permission(_) if !has_permission_source => NO_PERMISSION_SOURCE,
                Node::Scope(_) | Node::TokenUse(TokenUse::Access) if !accepts(TokenUse::Access) => {
                    "the verifier accepts no access tokens"
                }
                Node::TokenUse(TokenUse::Id) if !accepts(TokenUse::Id) => {
                    "the verifier accepts no ID tokens"
                }
                Node::Client(id) if !pools.iter().any(|pool| pool.accepts_client(id)) => {
                    "the verifier accepts no tokens of this app client"
                }
                Node::Pool(name) if pools.named(name).is_none() => {
                    "the verifier has no pool of this name"
                }
                _ => return,
            };
            defects.push(format!("{part}: {defect}"));
        });
        defects
    }
}
