"""What operations are made of; each works on a record that its caller has found and locked."""
