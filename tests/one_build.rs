//! No test stands here. Cargo chooses the features of what the program and its tests share together when a test target is
//! asked for; asking for this empty one beside the server gives `make run` and `make test` the same compiled dependencies.
