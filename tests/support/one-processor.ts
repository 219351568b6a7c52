/** What a child process of a worker under test does with a job: the least there is. */
export default async function double({ data }: { data: { value: number } }): Promise<number> {
  return 2 * data.value;
}
