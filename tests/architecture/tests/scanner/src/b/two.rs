pub fn helper() { println!("{:?}", super::one::run as fn()); }
