//! The one pass and the full parser give the same trees.

use super::super::yaml::parse_fully;
use super::*;
use overgrant_source::Sources;

/// Whether the text was read here; panics where the full parser gives anything else.
fn agrees(text: &str) -> bool {
    let file = Sources::new(".").add("t.yaml", text);
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(own) = read(&file, body) else {
        return false;
    };
    let full = parse_fully(&file, body).unwrap_or_else(|_| panic!("not YAML: {text:?}"));
    assert_eq!(own.root, full.root, "{text:?}");
    assert_eq!(own.comments, full.comments, "{text:?}");
    assert_eq!(own.diagnostics, full.diagnostics, "{text:?}");
    true
}

const SAMPLE: &str = r##"--- # a template
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  Two lines
  folded

    and one that is deeper
  end
Parameters:
  Env : {Type: String, Default: "dev", AllowedValues: [dev, 'it''s']} # trailing
  Zones:
    Type: "List<\"x\">"
    Description: a text that goes on
      over two lines

      and a paragraph
Resources:
  Role:
    Type: AWS::IAM::Role
    Metadata:
    Properties:
      Path: "one
        two \
        three"
      AssumeRolePolicyDocument: !Sub |
        {
          "a": "${AWS::Region}"

        }
      Policies:
      - PolicyName: p # why
        PolicyDocument:
          Statement:
            # comment
            - Effect: Allow
              Action: [ "s3:*", !Ref A ,
                {a: b} ]
              Resource: !If
                - C
                - !Sub
                  - "${x}"
                  - x: !GetAtt B.Arn
                - !Ref "AWS::NoValue"
            -
              Effect: Deny
      - !Sub "x"
      Zone: !GetAZs
      Version: 2012-10-17
      Version: 2008-10-17
Outputs:
  O: {Value: !Ref Role}
"##;

#[test]
fn reads_what_people_write() {
    for text in [
        "A: 1\n",
        "\u{feff}A: 1\n# end",
        "- a\n- b: c\n  d:\n    - e\n",
        "A:\n- b\n- c: d\nE: f",
        "A: |\n  x\n   y\n\nB: >\n  x\n  y\n",
        "A: |-\n  x\n\n\n  y\nB: |+\n  x\n\nC: 1\n",
        "A: 'x\n  y\n\n  z'\n",
        "A: \"x\\n\\\"y\\\"\"\nB: x:y#z\nC: http://a/b # c\n",
        "A: [a, [b, {c: d, e: [f]}], 'g']\n",
        "A: {\n  \"b\": [\n    1,\n    2\n  ]\n}\n",
        "A:\n  !Join\n  - ''\n  - [a]\nB: !If [x, !Ref y, {Fn::Sub: z}]\n",
        "A: é 😀\nB: -1\nC: ?x\n",
        "A: \"b\nc\"\n",
        "A:\n  - B: '{\n\"x\":\n\n \"y\" }'\n    C: 1\n",
    ] {
        assert!(agrees(text), "{text:?}");
    }
    let sample = SAMPLE.replace(" \\\n", "\n");
    assert!(agrees(&sample));
}

/// Everything of a node but how many bytes a line's end has: texts, tags, and places by line and
/// column.
fn without_bytes(node: &Node, file: &SourceFile, out: &mut Vec<String>) {
    let place = |span: Span| {
        let (from, to) = (file.place(span.start), file.place(span.end));
        format!("{from:?}-{to:?}")
    };
    let tag = node.tag.as_ref();
    out.push(format!("{:?}", tag.map(|tag| (&tag.name, place(tag.span)))));
    match &node.kind {
        Kind::Scalar(scalar) => {
            out.push(format!(
                "{:?} {:?} {}",
                scalar.text,
                scalar.style,
                place(node.span)
            ));
            // Each character has a place, whether its segment goes over lines or not.
            for (at, c) in scalar.text.char_indices().filter(|(_, c)| *c != '\n') {
                let span = scalar.span_of(at..at + c.len_utf8()).unwrap();
                out.push(format!("{c:?} {}", place(span)));
            }
        }
        Kind::Seq(items) => {
            out.push(place(node.span));
            items.iter().for_each(|item| without_bytes(item, file, out));
        }
        Kind::Map(entries) => {
            out.push(place(node.span));
            for entry in entries {
                out.push(format!("{:?} {}", entry.key, place(entry.key_span)));
                without_bytes(&entry.value, file, out);
            }
        }
    }
}

/// Whether the text with carriage returns is read here too, and to the same tree.
fn agrees_with_returns(text: &str) -> bool {
    let tree = |text: &str| {
        let file = Sources::new(".").add("t.yaml", text);
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let read = read(&file, body)?;
        let mut out = Vec::new();
        without_bytes(&read.root, &file, &mut out);
        for comment in &read.comments {
            let at = file.place(comment.span.start);
            out.push(format!("{at:?} {} {}", comment.text, comment.trailing));
        }
        out.extend(read.diagnostics.iter().map(|told| told.message.clone()));
        Some(out)
    };
    let returns = text.replace('\n', "\r\n");
    let found = tree(text);
    assert_eq!(found, tree(&returns), "{text:?}");
    agrees(&returns);
    found.is_some()
}

#[test]
fn a_carriage_return_is_part_of_the_line_end() {
    let sample = SAMPLE.replace(" \\\n", "\n");
    assert!(agrees_with_returns(&sample));
    assert!(agrees(&sample.replace('\n', "\r\n")));
    // Mixed line ends too.
    let mut lines = 0;
    let mixed: String = sample
        .split_inclusive('\n')
        .map(|line| {
            lines += 1;
            if lines % 3 == 0 {
                line.replace('\n', "\r\n")
            } else {
                line.to_owned()
            }
        })
        .collect();
    assert!(agrees(&mixed));
    for text in [
        "A: 1\nB:\n  - c\n\n  - d # e\n",
        "A: |\n  x\n\n  y\n\nB: >-\n  x\n  y\n",
        "A: |+\n  x\n\n\nB: 1\n",
        "A: 'x\n\n  y '\nB: \"a\n  b\"\nC: a\n  b\n\n  c\n",
        "\u{feff}A: [a,\n  b] # é 😀\nB: {c: d,\n  e: f}\n",
        "A: !Sub\n  - x\nB: !Ref\n",
    ] {
        assert!(agrees_with_returns(text), "{text:?}");
    }
}

#[test]
fn leaves_the_rest_to_the_full_parser() {
    for text in [
        "",
        "a",
        "A: &x 1\nB: *x\n",
        "A:\n  <<: {b: c}\n",
        "? a\n: b\n",
        "%YAML 1.2\n---\nA: 1\n",
        "A: 1\n---\nB: 2\n",
        "A:\t1\n",
        "A: 1\rB: 2\r",
        "A: 1\r\r\nB: 2\n",
        "A: \"x\\\r\n  y\"\n",
        "A: b: c\n",
        "A: [a\nB: c]\n",
        "A: @b\n",
        "A: 1\n  B: 2\n",
        "A: !!int 1\n",
        "A: |2\n   x\n",
        "A: [a: b]\n",
        "A: 'x\n---\n y'\n",
    ] {
        assert!(!agrees(text), "{text:?}");
    }
    let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
    assert!(!agrees(&deep));
}

/// Small changes of a template are read alike by both, or not here.
#[test]
fn agrees_on_what_is_nearly_a_template() {
    const BITS: [&str; 26] = [
        "\n", "  ", ":", ": ", "- ", " #", "'", "\"", "!Sub ", "[", "]", "{", "}", ",", "|", ">",
        "\\", "~", "\n\n", "\n  ", "k: v\n", "é", "? ", "&a ", "---", "|-\n",
    ];
    let lines: Vec<&str> = SAMPLE.lines().collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let (mut read, total) = (0, 3_000);
    for _ in 0..total {
        let from = random(lines.len());
        let some = &lines[from..(from + 1 + random(14)).min(lines.len())];
        let indent = some[0].len() - some[0].trim_start().len();
        let cut = |line: &&str| line.get(indent..).unwrap_or(line.trim_start()).to_owned();
        let mut text = some.iter().map(cut).collect::<Vec<_>>().join("\n") + "\n";
        for _ in 0..random(4) {
            let at = (0..=random(text.len() + 1)).rfind(|at| text.is_char_boundary(*at));
            text.insert_str(at.unwrap(), BITS[random(BITS.len())]);
        }
        read += usize::from(agrees(&text));
        agrees_with_returns(&text);
    }
    assert!(read > total / 6, "{read}");
}
