//! `cognito-identity-trust-weak`: A role trusts Cognito identity pools without pinning one.

use crate::federation::{Rights, Trusted, Width, trusted};
use crate::skeleton::{Which, is_wild, wildcard_src};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_value::{Piece, Sym, Text};

rule! {
    /// A role trusts Cognito identity pools without pinning one.
    ///
    /// Identity pools of all AWS accounts share one issuer. The claim `aud` names the pool, and `amr` says
    /// whether its user has signed in.
    ///
    /// ## Why
    /// Without `aud` an attacker makes a pool of their own and takes the role with it. Without `amr`,
    /// visitors who did not sign in get the rights meant for users.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "cognito-identity.amazonaws.com" } # <-- here
    ///       Condition = {
    ///         "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = "authenticated" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: cognito-identity.amazonaws.com # <-- here
    ///             Condition:
    ///               StringEquals:
    ///                 cognito-identity.amazonaws.com:aud: eu-west-1:8f2c1d53-6f0a-4b9e-9c3d-2a7e5b4f1c60
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_cognito_identity_pool" "app" {
    ///   identity_pool_name = "app"
    /// }
    ///
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "cognito-identity.amazonaws.com" }
    ///       Condition = {
    ///         StringEquals             = { "cognito-identity.amazonaws.com:aud" = aws_cognito_identity_pool.app.id }
    ///         "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = "authenticated" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Pool:
    ///     Type: AWS::Cognito::IdentityPool
    ///     Properties:
    ///       AllowUnauthenticatedIdentities: true
    ///   Guest:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: cognito-identity.amazonaws.com
    ///             Condition:
    ///               StringEquals:
    ///                 cognito-identity.amazonaws.com:aud: !Ref Pool
    ///               ForAnyValue:StringLike:
    ///                 cognito-identity.amazonaws.com:amr: unauthenticated
    ///       Policies:
    ///         - PolicyName: monitor
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: rum:PutRumEvents
    ///                 Resource: !Sub arn:aws:rum:${AWS::Region}:${AWS::AccountId}:appmonitor/shop
    /// ```
    /// The id of the pool may be written out:
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "cognito-identity.amazonaws.com" }
    ///       Condition = {
    ///         StringEquals             = { "cognito-identity.amazonaws.com:aud" = "eu-west-1:8f2c1d53-6f0a-4b9e-9c3d-2a7e5b4f1c60" }
    ///         "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = "authenticated" }
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "app" {
    ///   name = "app"
    ///   role = aws_iam_role.app.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::acme-uploads/*" }]
    ///   })
    /// }
    /// ```
    /// What visitors report of themselves is for all of them:
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "cognito-identity.amazonaws.com" }
    ///       Condition = {
    ///         StringEquals = { "cognito-identity.amazonaws.com:aud" = "eu-west-1:8f2c1d53-6f0a-4b9e-9c3d-2a7e5b4f1c60" }
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "app" {
    ///   name = "app"
    ///   role = aws_iam_role.app.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "rum:PutRumEvents", Resource = "arn:aws:rum:eu-west-1:111122223333:appmonitor/shop" }]
    ///   })
    /// }
    /// ```
    /// So is what the console of Cognito writes into the role of visitors:
    /// ```cloudformation good also:service-wildcard-on-all
    /// Resources:
    ///   Pool:
    ///     Type: AWS::Cognito::IdentityPool
    ///     Properties:
    ///       AllowUnauthenticatedIdentities: true
    ///   Guest:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: cognito-identity.amazonaws.com
    ///             Condition:
    ///               StringEquals:
    ///                 cognito-identity.amazonaws.com:aud: !Ref Pool
    ///               ForAnyValue:StringLike:
    ///                 cognito-identity.amazonaws.com:amr: unauthenticated
    ///       Policies:
    ///         - PolicyName: guest
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ["mobileanalytics:PutEvents", "cognito-sync:*"]
    ///                 Resource: "*"
    /// ```
    /// And what they say to a bot:
    /// ```cloudformation good
    /// Resources:
    ///   Pool:
    ///     Type: AWS::Cognito::IdentityPool
    ///     Properties:
    ///       AllowUnauthenticatedIdentities: true
    ///   Guest:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: cognito-identity.amazonaws.com
    ///             Condition:
    ///               StringEquals:
    ///                 cognito-identity.amazonaws.com:aud: !Ref Pool
    ///               ForAnyValue:StringLike:
    ///                 cognito-identity.amazonaws.com:amr: unauthenticated
    ///       Policies:
    ///         - PolicyName: guest
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: lex:RecognizeText
    ///                 Resource: !Sub "arn:aws:lex:${AWS::Region}:${AWS::AccountId}:bot-alias/SHOPBOT123/TSTALIASID"
    /// ```
    /// A pool that lets nobody in who did not sign in needs no test of `amr`:
    /// ```cloudformation good
    /// Resources:
    ///   Pool:
    ///     Type: AWS::Cognito::IdentityPool
    ///     Properties:
    ///       AllowUnauthenticatedIdentities: false
    ///   Member:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: cognito-identity.amazonaws.com
    ///             Condition:
    ///               StringEquals:
    ///                 cognito-identity.amazonaws.com:aud: !Ref Pool
    ///       Policies:
    ///         - PolicyName: member
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: dynamodb:PutItem
    ///                 Resource: !Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"
    /// ```
    /// ## How to fix
    /// Test `aud` with the id of the pool and `amr` with `authenticated` (`ForAnyValue:StringLike`).
    pub(crate) static COGNITO_IDENTITY_TRUST_WEAK = Rule {
        id: "cognito-identity-trust-weak",
        family: Family::Federation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[287],
        aliases: &[],
        mappings: &[
            ("NIST", "IA-2"),
            ("NIST", "IA-8"),
            ("NIST", "IA-9"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1550.001"),
        ],
        references: &["https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        if !trusted.is_cognito() {
            continue;
        }
        let role = trusted.role(model);
        let pool = trusted.decisive("aud", |value| {
            // A region in front of a wildcard is no pool.
            let id = value.split_once(':').map_or(value, |(_, id)| id);
            if is_wild(value) && id.starts_with(['*', '?']) {
                Width::Everybody
            } else {
                Width::Pinned
            }
        });
        let (src, message, severity) = match pool {
            None => (
                trusted.src(),
                format!("identity pools of any account can assume {role}: no condition tests `aud`"),
                Severity::Critical,
            ),
            Some(pool) if pool.width == Width::Everybody => (
                wildcard_src(pool.value.text(), pool.value.pattern().src(), Which::First),
                format!("identity pools of any account can assume {role}: `{}` names none", pool.value),
                Severity::Critical,
            ),
            Some(_) if trusted.only_hears_visitors(cx.access) || asks_to_sign_in(cx, &trusted) => continue,
            Some(_) if trusted.claim("amr").is_empty() => (
                trusted.src(),
                format!("visitors who did not sign in can assume {role}: no condition tests `amr`"),
                Severity::High,
            ),
            Some(_) if is_for_guests(&trusted) && trusted.rights(cx.access) == Rights::Writes => (
                trusted.src(),
                format!("visitors who did not sign in can assume {role}, which does more than read"),
                Severity::High,
            ),
            Some(_) => continue,
        };
        let confidence = if severity == Severity::High {
            Confidence::Medium
        } else {
            Confidence::High
        };
        let report = cx
            .finding(&trusted.document.place, &src, message)
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .severity(severity)
            .confidence(confidence)
            .help("test aud with the pool's id and amr with authenticated");
        cx.report(report);
    }
}

/// Whether the pools that `aud` names are all of this code base and give nothing to who did not sign in.
fn asks_to_sign_in(cx: &Context<'_>, trusted: &Trusted<'_>) -> bool {
    trusted.limits("aud").iter().any(|condition| {
        !condition.values.is_empty() && condition.values.iter().all(|value| is_closed_pool(cx, value.text()))
    })
}

/// Whether the text is the id of a pool of the model that lets no guests in.
fn is_closed_pool(cx: &Context<'_>, id: &Text) -> bool {
    const POOLS: [&str; 2] = ["AWS::Cognito::IdentityPool", "aws_cognito_identity_pool"];
    let [Piece::Hole(hole)] = id.pieces() else { return false };
    let Sym::Attr { root, addr, .. } = &hole.sym else { return false };
    cx.model
        .settings_of(&POOLS)
        .find(|pool| pool.place.root == *root && pool.place.address == *addr)
        .is_some_and(|pool| {
            let terraform = pool.place.format.is_terraform();
            let name = if terraform {
                "allow_unauthenticated_identities"
            } else {
                "AllowUnauthenticatedIdentities"
            };
            match pool.attrs.get(name).filter(|flag| !flag.is_null()) {
                Some(flag) => {
                    flag.as_bool() == Some(false) || flag.as_str().is_some_and(|text| text == "false")
                }
                // The provider writes `false` for it.
                None => terraform,
            }
        })
}

/// Whether `amr` asks for visitors who did not sign in.
fn is_for_guests(trusted: &Trusted<'_>) -> bool {
    let limits = trusted.limits("amr");
    limits.iter().flat_map(|condition| &condition.values).any(|value| {
        value.known().is_some_and(|known| known == "unauthenticated")
    })
}
