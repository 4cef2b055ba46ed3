//! `overgrant paths --from internet`: every form of an entry that a rule knows, in both formats.
//!
//! Not for who comes in by trust policies (`queries.rs`). Invariant: what the rule on entries tells of is
//! what the query starts from.

use crate::support::Project;

/// An administrator that `service` assumes.
fn role(service: &str) -> String {
    format!(
        r#"
resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "{service}" }} }}]
  }})
}}
resource "aws_iam_role_policy_attachment" "app" {{
  role       = aws_iam_role.app.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}}
"#
    )
}

const FUNCTION: &str = r#"
resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = aws_iam_role.app.arn
  handler       = "index.handler"
  runtime       = "nodejs22.x"
  filename      = "app.zip"
}
"#;

const STACK: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: [lambda.amazonaws.com, codebuild.amazonaws.com, ec2.amazonaws.com] } }
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
  App:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: nodejs22.x
      Role: !GetAtt Role.Arn
      Code: { S3Bucket: code, S3Key: app.zip }
"#;

/// What the query and the rule say of a file: the steps into what strangers reach, sure ones only or all, and
/// the places of the rule's findings.
fn entered(file: &str, text: &str) -> (Vec<String>, Vec<String>, usize) {
    let project = Project::new().file(file, text);
    let steps = |more: &[&str]| {
        let mut arguments = vec!["paths", "--from", "internet", "-f", "json"];
        arguments.extend(more);
        let json = project.run(&arguments).json();
        let paths = json["paths"].as_array().unwrap().clone();
        let text = |path: &serde_json::Value| {
            assert_eq!(path["steps"][0]["kind"], "may-enter");
            assert_eq!(path["steps"][0]["rights"][0]["place"]["path"], file);
            path["steps"][0]["text"].as_str().unwrap().to_owned()
        };
        paths.iter().map(text).collect::<Vec<_>>()
    };
    let check = [
        "check",
        "--select",
        "external-entry-to-admin",
        "--min-confidence",
        "low",
        "-f",
        "json",
    ];
    let findings = project.run(&check).json();
    let found = findings["findings"].as_array().unwrap().len();
    (steps(&[]), steps(&["--all"]), found)
}

/// A sure entry, by these words.
fn sure(file: &str, text: &str, how: &str) {
    let (sure, all, found) = entered(file, text);
    assert_eq!((sure.len(), all.len(), found), (1, 1, 1), "{all:?}");
    assert!(sure[0].ends_with(how), "{}", sure[0]);
}

/// An entry that is possible only.
fn possible(file: &str, text: &str, how: &str) {
    let (sure, all, found) = entered(file, text);
    assert_eq!((sure.len(), all.len(), found), (0, 1, 1), "{all:?}");
    assert!(all[0].ends_with(how), "{}", all[0]);
}

fn none(file: &str, text: &str) {
    let (sure, all, found) = entered(file, text);
    assert_eq!((sure.len(), all.len(), found), (0, 0, 0), "{all:?}");
}

#[test]
fn urls_and_policies_of_functions() {
    let lambda = role("lambda.amazonaws.com") + FUNCTION;
    let url = |auth: &str| {
        format!(
            r#"{lambda}
resource "aws_lambda_function_url" "hook" {{
  function_name      = aws_lambda_function.app.function_name
  authorization_type = "{auth}"
}}
"#
        )
    };
    sure(
        "main.tf",
        &url("NONE"),
        "URL `aws_lambda_function_url.hook` asks for no sign-in",
    );
    none("main.tf", &url("AWS_IAM"));
    let permission = |principal: &str| {
        format!(
            r#"{lambda}
resource "aws_lambda_permission" "hook" {{
  function_name = aws_lambda_function.app.function_name
  action        = "lambda:InvokeFunction"
  principal     = "{principal}"
}}
"#
        )
    };
    sure(
        "main.tf",
        &permission("*"),
        "its policy lets everybody invoke it",
    );
    none("main.tf", &permission("events.amazonaws.com"));
    let url = format!(
        "{STACK}  Url:\n    Type: AWS::Lambda::Url\n    Properties: {{ TargetFunctionArn: !Ref App, AuthType: NONE }}\n"
    );
    sure("stack.yaml", &url, "URL `Url` asks for no sign-in");
    let permission = format!(
        "{STACK}  Everybody:\n    Type: AWS::Lambda::Permission\n    Properties: {{ FunctionName: !Ref App, Action: lambda:InvokeFunction, Principal: '*' }}\n"
    );
    sure(
        "stack.yaml",
        &permission,
        "its policy lets everybody invoke it",
    );
}

#[test]
fn methods_and_routes_of_apis() {
    let lambda = role("lambda.amazonaws.com") + FUNCTION;
    let rest = |authorization: &str, verb: &str| {
        format!(
            r#"{lambda}
resource "aws_api_gateway_rest_api" "api" {{
  name = "api"
}}
resource "aws_api_gateway_method" "get" {{
  rest_api_id   = aws_api_gateway_rest_api.api.id
  resource_id   = aws_api_gateway_rest_api.api.root_resource_id
  http_method   = "GET"
  authorization = "{authorization}"
}}
resource "aws_api_gateway_integration" "get" {{
  rest_api_id = aws_api_gateway_rest_api.api.id
  resource_id = aws_api_gateway_rest_api.api.root_resource_id
  http_method = "{verb}"
  type        = "AWS_PROXY"
  uri         = aws_lambda_function.app.invoke_arn
}}
"#
        )
    };
    sure(
        "main.tf",
        &rest("NONE", "GET"),
        "API `aws_api_gateway_method.get` asks for no sign-in",
    );
    none("main.tf", &rest("AWS_IAM", "GET"));
    none("main.tf", &rest("NONE", "POST"));
    let http = |authorization: &str| {
        format!(
            r#"{lambda}
resource "aws_apigatewayv2_api" "api" {{
  name          = "api"
  protocol_type = "HTTP"
}}
resource "aws_apigatewayv2_integration" "app" {{
  api_id           = aws_apigatewayv2_api.api.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.app.invoke_arn
}}
resource "aws_apigatewayv2_route" "app" {{
  api_id    = aws_apigatewayv2_api.api.id
  route_key = "GET /"
  target    = "integrations/${{aws_apigatewayv2_integration.app.id}}"
  {authorization}
}}
"#
        )
    };
    sure(
        "main.tf",
        &http(""),
        "API `aws_apigatewayv2_route.app` asks for no sign-in",
    );
    none("main.tf", &http(r#"authorization_type = "JWT""#));
    let method = |authorization: &str| {
        format!(
            r#"{STACK}  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {{ Name: api }}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: {authorization}
      Integration:
        Type: AWS_PROXY
        Uri: !Sub arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{App.Arn}}/invocations
"#
        )
    };
    sure(
        "stack.yaml",
        &method("NONE"),
        "API `Get` asks for no sign-in",
    );
    none("stack.yaml", &method("AWS_IAM"));
    let route = format!(
        r#"{STACK}  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {{ Name: api, ProtocolType: HTTP }}
  Call:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {{ ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt App.Arn }}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ ApiId: !Ref Api, RouteKey: GET /, Target: !Sub "integrations/${{Call}}" }}
"#
    );
    sure("stack.yaml", &route, "API `Route` asks for no sign-in");
}

#[test]
fn builds_of_what_strangers_propose() {
    let codebuild = role("codebuild.amazonaws.com");
    let build = |visibility: &str, approval: &str| {
        format!(
            r#"{codebuild}
resource "aws_codebuild_project" "test" {{
  name               = "test"
  service_role       = aws_iam_role.app.arn
  project_visibility = "{visibility}"
  source {{
    type     = "GITHUB"
    location = "https://github.com/acme/shop"
  }}
  artifacts {{ type = "NO_ARTIFACTS" }}
  environment {{
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/standard:7.0"
    type         = "LINUX_CONTAINER"
  }}
}}
resource "aws_codebuild_webhook" "test" {{
  project_name = aws_codebuild_project.test.name
  pull_request_build_policy {{ requires_comment_approval = "{approval}" }}
  filter_group {{
    filter {{
      type    = "EVENT"
      pattern = "PULL_REQUEST_CREATED"
    }}
  }}
}}
"#
        )
    };
    sure(
        "main.tf",
        &build("PUBLIC_READ", "DISABLED"),
        "builds it without approval",
    );
    possible(
        "main.tf",
        &build("PRIVATE", "DISABLED"),
        "builds it without approval",
    );
    none("main.tf", &build("PUBLIC_READ", "ALL_PULL_REQUESTS"));
    let stack = format!(
        r#"{STACK}  Test:
    Type: AWS::CodeBuild::Project
    Properties:
      ServiceRole: !GetAtt Role.Arn
      Visibility: PUBLIC_READ
      Source: {{ Type: GITHUB, Location: "https://github.com/acme/shop" }}
      Triggers:
        Webhook: true
        PullRequestBuildPolicy: {{ RequiresCommentApproval: DISABLED }}
"#
    );
    sure("stack.yaml", &stack, "builds it without approval");
}

#[test]
fn instances_that_the_internet_reaches() {
    let vm = role("ec2.amazonaws.com");
    let instance = |from: &str| {
        format!(
            r#"{vm}
resource "aws_security_group" "web" {{
  name = "web"
}}
resource "aws_vpc_security_group_ingress_rule" "web" {{
  security_group_id = aws_security_group.web.id
  cidr_ipv4         = "{from}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}}
resource "aws_iam_instance_profile" "app" {{
  role = aws_iam_role.app.name
}}
resource "aws_instance" "web" {{
  ami                         = "ami-0123456789abcdef0"
  instance_type               = "t3.micro"
  iam_instance_profile        = aws_iam_instance_profile.app.name
  vpc_security_group_ids      = [aws_security_group.web.id]
  associate_public_ip_address = true
}}
"#
        )
    };
    let how = "it has a public address, and `aws_security_group.web` lets the internet in";
    possible("main.tf", &instance("0.0.0.0/0"), how);
    none("main.tf", &instance("10.0.0.0/8"));
    let stack = format!(
        r#"{STACK}  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress: [{{ IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0 }}]
  Profile:
    Type: AWS::IAM::InstanceProfile
    Properties: {{ Roles: [!Ref Role] }}
  Web:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-0123456789abcdef0
      IamInstanceProfile: !Ref Profile
      NetworkInterfaces:
        - {{ DeviceIndex: "0", AssociatePublicIpAddress: true, GroupSet: [!GetAtt Group.GroupId] }}
"#
    );
    possible(
        "stack.yaml",
        &stack,
        "it has a public address, and `Group` lets the internet in",
    );
}
