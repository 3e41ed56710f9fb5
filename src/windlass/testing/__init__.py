"""What is shipped for tests: contract suites and fakes of every port."""
