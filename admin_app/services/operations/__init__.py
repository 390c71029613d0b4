"""What a person does to one record: the public verbs of the desk."""
