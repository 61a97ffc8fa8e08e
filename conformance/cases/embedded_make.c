/*
 * Makes embedded.c: the cases, profiles and rules inside the program, so that
 * one file can be carried to another machine.
 *
 * usage: embedded_make FOLDER FILE...      names are below FOLDER
 */
#include <stdio.h>
#include <string.h>

static int
write_file(const char *folder, const char *name)
{
	char path[4096];
	FILE *file;
	int c, column = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return 0;
	}
	printf("\t{\"%s\",\n\t\"", name);
	while ((c = getc(file)) != EOF) {
		if (c == '\n')
			fputs("\\n", stdout);
		else if (c == '"' || c == '\\' || c == '?')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7F)
			printf("\\%03o", (unsigned)c);
		else
			putchar(c);
		if (++column % 64 == 0)
			fputs("\"\n\t\"", stdout);
	}
	fputs("\"},\n", stdout);
	fclose(file);
	return 1;
}

int
main(int argc, char **argv)
{
	int i;

	if (argc < 3)
		return 2;
	puts("#include \"cases/embedded.h\"\n\n"
	     "const struct embedded embedded[] = {");
	for (i = 2; i < argc; i++)
		if (!write_file(argv[1], argv[i]))
			return 1;
	puts("\t{NULL, NULL}\n};");
	return 0;
}
