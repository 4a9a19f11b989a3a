//! Any text as an endpoint: it parses or is refused in words, and what parses prints as what parses
//! to the same.

use socketry_transport::Endpoint;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match text.parse::<Endpoint>() {
        Ok(endpoint) => prints(&endpoint),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn prints(endpoint: &Endpoint) {
    let printed = endpoint.to_string();
    match printed.parse::<Endpoint>() {
        Ok(same) => {
            assert_eq!(same, *endpoint, "{printed}");
            assert_eq!(same.to_string(), printed);
        }
        Err(error) => panic!("{error}"),
    }
}
